/**
 * Files that can be mapped: where each page lies in physical memory, and how their bytes are copied
 * from there (the work of filemap_xip). Files of an image never change; files in memory do. A file
 * in place needs no page frame and stages no bytes; its control, a file through the page cache, has
 * a frame and a copy for each page. No file decides what a fault past the end means.
 */
package dev.xip.file;
