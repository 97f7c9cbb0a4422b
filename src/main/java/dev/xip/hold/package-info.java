/**
 * A segment that one process holds loaded for other shells, and the socket in the store that takes
 * their requests to change, save or unload it. The README of {@code segment} says whom a store
 * trusts.
 */
package dev.xip.hold;
