/**
 * Wires memory, segments, images and address spaces to one machine: boot, mount, verify, shut down.
 * It never prints, never exits and knows no command line.
 */
package dev.xip.machine;
