/**
 * Directories of the host as file systems of programs. A path is walked name by name beneath an
 * open descriptor, so no link is followed by the host: programs follow links in their own tree.
 */
package dev.xip.bind;
