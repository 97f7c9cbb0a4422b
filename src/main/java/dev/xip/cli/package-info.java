/**
 * The command {@code xip}: what the user typed in, what the layers below found out. It holds no
 * logic of its own and nobody imports it; it alone prints and exits.
 *
 * <p>Text goes to standard output as bytes, because file names are bytes. JSON is written by a
 * class of our own, as a hundred lines that write it in order cost no start-up time and no library.
 */
package dev.xip.cli;
