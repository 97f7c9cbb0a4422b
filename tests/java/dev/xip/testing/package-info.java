/**
 * What several tests share: running other programs, trees of files to pack, and images made and
 * judged by e2fsprogs and the kernel. It never judges by itself.
 */
package dev.xip.testing;
