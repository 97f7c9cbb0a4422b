/**
 * The story of {@code xip demo}: an image is packed, loaded, mapped, read and compared with the
 * alternatives, and each step is counted or timed. It never prints; no lower layer uses it.
 */
package dev.xip.demo;
