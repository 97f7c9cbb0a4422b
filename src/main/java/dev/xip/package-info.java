/**
 * The front door for Java programs: {@link dev.xip.Xip#open} opens an image, {@link
 * dev.xip.XipFile#memory} is a file of it as memory.
 */
package dev.xip;
