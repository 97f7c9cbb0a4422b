/**
 * Files that can be mapped: where each page lies in physical memory, and how their bytes are copied
 * from there (the work of filemap_xip). Files of an image never change; files in memory do. It
 * never makes a page frame, never stages bytes and never decides what a fault past the end means.
 */
package dev.xip.file;
