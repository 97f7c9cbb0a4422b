package dev.xip.mapping;

/**
 * A run of physically contiguous pages.
 *
 * @param pfn the first page's frame number
 * @param pages how many pages, at least 1
 */
public record DirectRange(long pfn, long pages) {}
