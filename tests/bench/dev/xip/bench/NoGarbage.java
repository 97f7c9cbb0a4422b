package dev.xip.bench;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A hot path: what this benchmark does must not allocate. {@link AllocationCheck} holds it to. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface NoGarbage {}
