/**
 * The story that {@code xip demo} tells: an image is packed, loaded, mapped, run through and held
 * against the alternatives, and what was seen at each step is kept as numbers. It never prints, and
 * nothing below it knows that it is there.
 */
package dev.xip.demo;
