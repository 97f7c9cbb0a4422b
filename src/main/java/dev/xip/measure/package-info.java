/**
 * Measures xip beside the raw limit and what people would use instead, all in one run, and draws
 * the figures. It never asserts a time and never prints.
 */
package dev.xip.measure;
