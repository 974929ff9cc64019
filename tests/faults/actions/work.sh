# What a step does that runs in a process of its own: it takes its time, and says so in the ledger.
read -r now _ < /proc/uptime
echo "begin $TASKD_TASK_ID $TASKD_STEP $TASKD_ATTEMPT $$ $now" >> "$place/ledger"
[ "$pause" = 0 ] || sleep "$pause"
read -r then _ < /proc/uptime
echo "end $TASKD_TASK_ID $TASKD_STEP $TASKD_ATTEMPT $$ $then" >> "$place/ledger"
echo "$$@$now"
