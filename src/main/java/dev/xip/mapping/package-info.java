/**
 * The seam between memory manager and files: how devices, files and mappings call each other, so
 * that neither side imports the other. It holds interfaces and plain records, and no behaviour.
 */
package dev.xip.mapping;
