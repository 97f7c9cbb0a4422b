/**
 * Copies files and trees out of an image onto the host, with their attributes. New files are made
 * beneath an open folder, out of reach of other users until they are complete.
 */
package dev.xip.extract;
