/**
 * Measures xip, the raw limit, the peers that a program would use instead and the other strategies
 * of the normal-page test in one run, and draws the figures. Never asserts a time, never prints.
 */
package dev.xip.measure;
