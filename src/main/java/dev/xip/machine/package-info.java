/**
 * Wires the layers below to whole deeds: open an image file, make one, copy trees out of it, say
 * what lies in place. It never prints, never exits and knows no command line.
 */
package dev.xip.machine;
