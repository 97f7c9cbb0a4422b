/**
 * ELF headers of programs and shared objects, checked as a whole before anything is computed from
 * them. It never maps or runs anything, never reads section headers, and believes no number of a
 * file that it has not held against the file's own size.
 */
package dev.xip.elf;
