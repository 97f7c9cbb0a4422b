/**
 * JMH benchmarks, each beside the raw limit and a peer in the same run. They are compiled with the
 * tests and run only by {@code mvn -Pbench}; none of them asserts a time.
 */
package dev.xip.bench;
