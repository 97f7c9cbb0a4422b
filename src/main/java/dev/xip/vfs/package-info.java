/**
 * What programs see as files: trees of nodes, the mount table and the walk along paths. The root is
 * a file system in RAM laid over an image: what was not changed is read and mapped in place.
 */
package dev.xip.vfs;
