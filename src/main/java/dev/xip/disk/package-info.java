/**
 * What lies on a disk or in a file: partition tables (MBR and GPT), and contents that are
 * recognised by their magic numbers, to be named with advice. It only reads, and every byte that it
 * reads is taken for hostile.
 */
package dev.xip.disk;
