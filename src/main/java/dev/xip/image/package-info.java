/**
 * The interface of every file-system image, independent of its format: inodes, directories, links
 * and the block map of each file with its verdict on reading in place. It never writes or maps an
 * image and knows no particular format.
 */
package dev.xip.image;
