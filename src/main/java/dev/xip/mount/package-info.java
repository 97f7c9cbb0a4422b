/**
 * Opens an image wherever it lies, a file or adjacent segments, maps it once and hands out its
 * files. It only reads, and knows neither the command line nor an address space.
 */
package dev.xip.mount;
