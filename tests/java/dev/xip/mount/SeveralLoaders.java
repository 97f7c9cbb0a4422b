package dev.xip.mount;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * Opens each named image with xip's classes in a class loader of its own, truncates and reads the
 * images one after the other, drops the loaders, and truncates a file that is mapped without xip.
 */
final class SeveralLoaders {
  private static final long PAGE = 4096;

  private SeveralLoaders() {}

  private static List<WeakReference<ClassLoader>> cutAll(String[] images) throws Exception {
    List<URL> places = new ArrayList<>();
    for (String each : System.getProperty("java.class.path").split(":")) {
      places.add(Path.of(each).toUri().toURL());
    }
    List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
    List<Callable<?>> opened = new ArrayList<>();
    for (String image : images) {
      ClassLoader parent = ClassLoader.getPlatformClassLoader();
      ClassLoader loader = new URLClassLoader(places.toArray(URL[]::new), parent);
      Class<?> user = loader.loadClass("dev.xip.mount.CutInOneLoader");
      opened.add((Callable<?>) user.getConstructor(Path.class).newInstance(Path.of(image)));
      loaders.add(new WeakReference<>(loader));
    }
    for (Callable<?> each : opened) {
      System.out.println(each.call());
    }
    return loaders;
  }

  private static String cutWithoutXip(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, PAGE);
      channel.truncate(0);
      return "read " + mapped.get(0);
    } catch (InternalError told) {
      return "InternalError";
    }
  }

  public static void main(String[] images) throws Exception {
    List<WeakReference<ClassLoader>> loaders = cutAll(images);
    for (int i = 0; i < 100 && loaders.stream().anyMatch(each -> each.get() != null); i++) {
      System.gc();
      Thread.sleep(20);
    }
    System.out.println("loaders left: " + loaders.stream().filter(l -> l.get() != null).count());
    System.out.println(cutWithoutXip(Path.of(images[0])));
  }
}
