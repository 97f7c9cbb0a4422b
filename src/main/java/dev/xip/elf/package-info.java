/**
 * ELF headers of programs and shared objects, checked as a whole before anything is computed from
 * them. It never maps or runs anything, never reads section headers, and uses no number of a file
 * before it has compared it with the file's size.
 */
package dev.xip.elf;
