package dev.xip.bench;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks the benchmark of a hot path, which must not allocate: see {@link AllocationCheck}. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface DoesNotAllocate {}
