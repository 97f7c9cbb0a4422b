package dev.xip.nio;

import dev.xip.base.FileName;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A file in an image, read through its URL. A directory reads as the names of its files, one on
 * each line, as those of {@code file:} URLs do.
 */
final class XipUrlConnection extends URLConnection {
  /** Images that URLs alone have opened. */
  private static final OpenFileSystems OPENED = new OpenFileSystems();

  private static final XipFileSystemProvider PROVIDER = new XipFileSystemProvider();

  /** Dates in a header have a year of four digits. */
  private static final Instant FIRST_DATE = Instant.parse("0000-01-01T00:00:00Z");

  private static final Instant END_OF_DATES = Instant.parse("+10000-01-01T00:00:00Z");

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'", Locale.US);

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
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path each : files) {
        lines.writeBytes(XipPath.of(each).getFileName().bytes().bytes());
        lines.write('\n');
      }
    }
    return new ByteArrayInputStream(lines.toByteArray());
  }

  @Override
  public InputStream getInputStream() throws IOException {
    connect();
    return content;
  }

  /** As a connection to a file of the host has it; the names of the fields are in lower case. */
  private Map<String, String> header() {
    Map<String, String> fields = new LinkedHashMap<>();
    if (connects()) {
      String type = getContentType();
      if (type != null) {
        fields.put("content-type", type);
      }
      if (file.isRegularFile()) {
        fields.put("content-length", Long.toString(file.size()));
        Instant changed = file.lastModifiedTime().toInstant();
        if (!changed.isBefore(FIRST_DATE) && changed.isBefore(END_OF_DATES)) {
          fields.put("last-modified", DATE.format(changed.atOffset(ZoneOffset.UTC)));
        }
      }
    }
    return fields;
  }

  @Override
  public Map<String, List<String>> getHeaderFields() {
    Map<String, List<String>> fields = new LinkedHashMap<>();
    header().forEach((name, value) -> fields.put(name, List.of(value)));
    return Collections.unmodifiableMap(fields);
  }

  @Override
  public String getHeaderField(String name) {
    return name == null ? null : header().get(name.toLowerCase(Locale.ROOT));
  }

  @Override
  public String getHeaderFieldKey(int index) {
    return header().keySet().stream().skip(index).findFirst().orElse(null);
  }

  @Override
  public String getHeaderField(int index) {
    return header().values().stream().skip(index).findFirst().orElse(null);
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
    return connects() && file.isDirectory()
        ? "text/plain"
        : guessContentTypeFromName(url.getPath());
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
