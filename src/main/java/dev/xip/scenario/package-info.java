/**
 * Scripts of operations on address spaces, run on a machine for diagnostics: {@code xip maps} and
 * {@code xip pagetable} show what they leave.
 */
package dev.xip.scenario;
