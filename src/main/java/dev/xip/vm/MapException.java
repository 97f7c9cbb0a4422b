package dev.xip.vm;

import java.io.IOException;

/**
 * A mapping call was refused before it changed anything. The message begins with the kernel's code.
 */
public final class MapException extends IOException {
  private static final long serialVersionUID = 1L;

  MapException(String code, String call, String expected, String found) {
    super("%s: %s: expected %s, found %s".formatted(code, call, expected, found));
  }
}
