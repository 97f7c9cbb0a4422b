package dev.xip.host;

import java.io.IOException;

/** This host cannot run virtual processors; the message says what is missing and how to get it. */
public final class KvmAbsentException extends IOException {
  private static final long serialVersionUID = 1L;

  KvmAbsentException(String missing, String remedy) {
    super("no virtual processors: %s; %s".formatted(missing, remedy));
  }
}
