/**
 * The story of {@code xip history}: how the special bit of a page-table entry came to be, in steps.
 * Each step runs a proposal of the thread of January 2008 on a machine made for it and records what
 * was seen, measured and broken. A new step is one class, registered in {@link
 * dev.xip.history.History#STEPS}. Nothing here prints; no lower layer uses it.
 */
package dev.xip.history;
