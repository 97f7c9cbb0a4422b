/**
 * Files of file-system images, used where they lie: {@link dev.xip.Xip} is the front door; {@link
 * java.nio.file.FileSystems#newFileSystem(java.nio.file.Path)} opens images too.
 *
 * <p>Start programs with {@code --enable-native-access=dev.xip}. What the module does not export is
 * no interface, and may change with every version. Libraries that are required statically are those
 * of the command {@code xip}, which runs on the class path.
 */
module dev.xip {
  requires org.apache.commons.compress;
  requires static info.picocli;
  requires static java.desktop;
  requires static java.management;
  requires static me.tongfei.progressbar;
  requires static xchart;

  exports dev.xip;
  exports dev.xip.base;
  exports dev.xip.image;

  provides java.net.spi.URLStreamHandlerProvider with
      dev.xip.nio.XipUrlHandlerProvider;
  provides java.nio.file.spi.FileSystemProvider with
      dev.xip.nio.XipFileSystemProvider;
}
