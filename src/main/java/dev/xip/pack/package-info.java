/**
 * Images out of folders of the host: the formats' own tools make them, and what the tools lose is
 * written afterwards.
 */
package dev.xip.pack;
