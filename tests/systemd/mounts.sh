#!/bin/bash
# The root of a lab: a throw-away overlay of this machine's, kept until stdin ends.
#   mounts.sh FOLDER SHOWN…    SHOWN folders are seen as they are, by everybody, for reading only
set -eu
folder=$1 && shift

mount -t tmpfs -o mode=755 tmpfs "$folder"
mkdir "$folder"/{upper,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" overlay "$folder/root"
cd "$folder/root"

mount -t proc proc proc
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd

for shown in "$@"; do
  mkdir -p ".$shown"
  mount --bind "$shown" ".$shown"
  mount -o remount,bind,ro ".$shown"
  while [[ $shown == /?*/* ]]; do
    shown=${shown%/*}
    chmod o+x ".$shown"
  done
done

mkdir -p .machine
pivot_root . .machine
umount -l /.machine
cd /

# Of the machine's services only those that each boot needs.
rm -rf /etc/systemd/{system,user} /etc/tmpfiles.d /var/log/journal /var/lib/systemd/linger
mkdir -p /etc/systemd/{system,user} /etc/tmpfiles.d
: >/etc/fstab
ln -s /dev/null /etc/tmpfiles.d/tmp.conf
for unit in dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount \
  sys-fs-fuse-connections.mount sys-kernel-{config,debug,tracing}.mount systemd-timesyncd.service \
  systemd-tmpfiles-clean.timer; do
  ln -s /dev/null "/etc/systemd/system/$unit"
done
cat >/etc/systemd/system/lab.target <<'UNIT'
[Unit]
Requires=basic.target
Wants=dbus.service systemd-logind.service systemd-user-sessions.service
After=basic.target dbus.service systemd-logind.service systemd-user-sessions.service
AllowIsolate=yes
UNIT

echo ready
cat >/dev/null
