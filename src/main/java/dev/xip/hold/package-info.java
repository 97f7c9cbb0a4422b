/**
 * A segment that one process holds loaded for other shells, and the socket in the store through
 * which they ask it to change, save or unload it. The README of {@code segment} says whom a store
 * trusts.
 */
package dev.xip.hold;
