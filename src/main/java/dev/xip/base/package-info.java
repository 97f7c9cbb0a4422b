/**
 * Types that all other packages use: addresses, frame numbers, ranges, access rights, checked views
 * of bytes, where bytes are copied from and to, and the spin lock with its record of atomic
 * context. It never does I/O, never calls native code and knows nothing of images or page tables.
 */
package dev.xip.base;
