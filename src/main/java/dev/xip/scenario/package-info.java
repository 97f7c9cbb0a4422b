/**
 * Scripts of operations on address spaces, run on a machine for diagnostics: {@code xip maps} and
 * {@code xip pagetable} show what they leave. And trees of this host's programs, to be the root of
 * programs that run out of an image.
 */
package dev.xip.scenario;
