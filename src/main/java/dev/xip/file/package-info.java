/**
 * Files as things to map: where each page lies in physical memory, and their bytes copied straight
 * from there (the work of filemap_xip). Files of an image never change; files in memory do. It
 * never makes a page frame, never stages bytes and never decides what a fault past the end means.
 */
package dev.xip.file;
