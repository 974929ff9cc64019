"""taskd: durable tasks on a Linux host. Imported by task authors and clients."""
