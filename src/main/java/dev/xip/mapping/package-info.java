/**
 * The seam between memory manager and files: what a device, a file and a mapping say to each other,
 * so that neither side imports the other. It holds interfaces and plain records and never any
 * behaviour.
 */
package dev.xip.mapping;
