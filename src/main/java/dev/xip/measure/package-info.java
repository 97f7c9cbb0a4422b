/**
 * Measures xip beside the raw limit, what people would use instead and the other ways to know of a
 * page frame, all in one run, and draws the figures. It never asserts a time and never prints.
 */
package dev.xip.measure;
