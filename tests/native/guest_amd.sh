#!/bin/sh
# guest_amd.sh FOLDER: runs guest_test on kvm_amd, the code of real hosts, in a guest of QEMU that
# emulates AMD's virtualization. Needs, and names if missing, Debian's packages qemu-system-x86,
# busybox-static, cpio and linux-image-amd64; the kernel is taken from XIP_GUEST_ROOT, the folder of
# an unpacked package, or from this host.
set -eu
out=${1:?usage: guest_amd.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
root=${XIP_GUEST_ROOT:-}

lacks() {
  echo "guest-amd: $1 is missing, nothing was tested: apt-get install $2" >&2
  exit 1
}
for each in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio gcc:gcc; do
  command -v "${each%%:*}" >/dev/null || lacks "${each%%:*}" "${each##*:}"
done
kernel=$(ls "$root"/boot/vmlinuz-*-amd64 2>/dev/null | tail -1)
[ -n "$kernel" ] || lacks "a kernel in $root/boot" linux-image-amd64
modules=$root/lib/modules/${kernel##*/vmlinuz-}/kernel
[ -f "$modules/arch/x86/kvm/kvm-amd.ko" ] || lacks "$modules/arch/x86/kvm/kvm-amd.ko" linux-image-amd64

rm -rf "$out/guest-amd"
mkdir -p "$out/guest-amd/bin" "$out/guest-amd/dev"
cd "$out/guest-amd"
cp "$(command -v busybox)" bin/busybox
cp "$modules/virt/lib/irqbypass.ko" "$modules/drivers/crypto/ccp/ccp.ko" \
  "$modules/arch/x86/kvm/kvm.ko" "$modules/arch/x86/kvm/kvm-amd.ko" .
gcc -O2 -static -std=c11 -I"$here/../../include" -o guest_test "$here/guest_test.c" \
  "$here"/../../native/*.c "$here/../../native/guest.S"
cat >init <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for each in irqbypass ccp kvm kvm-amd; do /bin/busybox insmod /$each.ko; done
/guest_test && echo "guest-amd: passed"
/bin/busybox poweroff -f
INIT
chmod +x init
find . | cpio -o -H newc --quiet >../guest-amd.cpio
cd ..
timeout 300 qemu-system-x86_64 -accel tcg -cpu max -m 512 -nographic -no-reboot -nodefaults \
  -serial file:guest-amd.log -kernel "$kernel" -initrd guest-amd.cpio \
  -append "console=ttyS0 quiet panic=1" </dev/null
cat guest-amd.log
grep -q "guest-amd: passed" guest-amd.log
