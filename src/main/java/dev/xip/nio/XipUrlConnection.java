package dev.xip.nio;

import dev.xip.base.FileName;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file in an image, read through its URL. A directory reads as the names of its files, one on
 * each line, as those of {@code file:} URLs do.
 */
final class XipUrlConnection extends URLConnection {
  /** Images that URLs alone have opened. */
  private static final OpenFileSystems OPENED = new OpenFileSystems();

  private static final XipFileSystemProvider PROVIDER = new XipFileSystemProvider();

  private XipFileAttributes file;
  private InputStream content;

  XipUrlConnection(URL url) {
    super(url);
  }

  @Override
  public void connect() throws IOException {
    if (connected) {
      return;
    }
    try {
      XipPath path = path();
      file = new FileReference(path, true).attributes();
      content = file.isDirectory() ? names(path) : Files.newInputStream(path);
      connected = true;
    } catch (NoSuchFileException e) {
      throw (IOException) new FileNotFoundException(url.toString()).initCause(e);
    }
  }

  private XipPath path() throws IOException {
    String text = url.toExternalForm();
    int fragment = text.indexOf('#');
    try {
      ImageUri uri = ImageUri.of(fragment < 0 ? text : text.substring(0, fragment));
      FileName path = uri.path() == null ? PathNames.ROOT : uri.path();
      return fileSystem(uri.image()).path(path);
    } catch (IllegalArgumentException e) {
      throw (IOException) new MalformedURLException(e.getMessage()).initCause(e);
    }
  }

  private static XipFileSystem fileSystem(ImageName image) throws IOException {
    XipFileSystem known = PROVIDER.registry().find(image);
    return known != null
        ? known
        : OPENED.getOrAdd(image, () -> XipFileSystem.open(PROVIDER, image));
  }

  private static InputStream names(XipPath directory) throws IOException {
    StringBuilder lines = new StringBuilder();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      files.forEach(each -> lines.append(each.getFileName()).append('\n'));
    }
    return new ByteArrayInputStream(lines.toString().getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public InputStream getInputStream() throws IOException {
    connect();
    return content;
  }

  @Override
  public long getContentLengthLong() {
    return connects() && file.isRegularFile() ? file.size() : -1;
  }

  @Override
  public long getLastModified() {
    return connects() ? file.lastModifiedTime().toMillis() : 0;
  }

  @Override
  public String getContentType() {
    return guessContentTypeFromName(url.getPath());
  }

  private boolean connects() {
    try {
      connect();
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
