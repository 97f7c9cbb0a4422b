/*
 * The system headers that class dev.xip.bindings.Kvm is made from. Which of their symbols are taken
 * is written in kvm.symbols.
 */
#include <sys/ioctl.h>
#include <linux/kvm.h>
