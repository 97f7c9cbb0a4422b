package dev.xip.nio;

import java.io.IOException;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.net.spi.URLStreamHandlerProvider;

/**
 * Makes {@code xip:} URLs work, so that a {@link java.net.URLClassLoader} loads classes and
 * resources of an image, from its directories and from jars in it. An image that {@link
 * XipFileSystemProvider#newFileSystem(java.net.URI, java.util.Map)} has not opened is opened when
 * the first URL is read, and stays open as long as the JVM runs.
 */
public final class XipUrlHandlerProvider extends URLStreamHandlerProvider {
  /** Makes a provider. Called by {@link java.util.ServiceLoader}. */
  public XipUrlHandlerProvider() {}

  @Override
  public URLStreamHandler createURLStreamHandler(String protocol) {
    return ImageUri.SCHEME.equalsIgnoreCase(protocol) ? new Handler() : null;
  }

  private static final class Handler extends URLStreamHandler {
    @Override
    protected URLConnection openConnection(URL url) throws IOException {
      return new XipUrlConnection(url);
    }
  }
}
