/**
 * The command {@code xip}: parses arguments, calls the layers below and prints their results. It
 * has no logic of its own, and no package imports it; only this package prints and exits.
 *
 * <p>Text goes to standard output as bytes, because file names are bytes. JSON has a writer of its
 * own, whose hundred lines cost neither start-up time nor a library.
 */
package dev.xip.cli;
