/**
 * Shared by tests: other programs, trees of files to pack, and images made and checked by e2fsprogs
 * and the kernel.
 */
package dev.xip.testing;
