/**
 * Histories of address spaces written down as words, run on a machine for people to look at: what
 * {@code xip maps} and {@code xip pagetable} show.
 */
package dev.xip.scenario;
