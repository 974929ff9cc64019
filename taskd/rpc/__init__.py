"""The Unix socket: bytes to requests, requests to the API, answers to bytes."""
