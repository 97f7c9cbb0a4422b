/**
 * Files and trees out of an image onto the host, with their attributes. Everything new is made
 * beneath an open folder, closed to other users until it is whole.
 */
package dev.xip.extract;
