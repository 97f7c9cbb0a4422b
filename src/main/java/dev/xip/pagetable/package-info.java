/**
 * Page tables: entry layouts, tables of 8-byte entries in pages of RAM, and the walker. It holds no
 * policy and does no I/O: it never decides what is mapped, never counts a reference and never asks
 * whether a page frame exists.
 *
 * <p>Every entry is read with acquire and written with release or compare-and-set, in native
 * memory, in the layout that {@code include/xip/pte.h} gives to C as well. {@code README.md} beside
 * this file compares the layouts and says where they differ from hardware.
 */
package dev.xip.pagetable;
