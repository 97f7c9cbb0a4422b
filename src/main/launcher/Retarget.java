import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Gives the classes of a jar that are older than Java 6 the form of Java 8, with the stack maps
 * that it asks for. A class archive of the JVM does not take older ones, and to read and verify
 * some three hundred of them takes longer than most commands. The build runs it on the libraries
 * beside the launcher; a jar without such classes stays as it is.
 */
final class Retarget {
  private static final int JAVA_6 = 50;
  private static final int JAVA_8 = 52;

  private final ZipFile jar;
  private final ClassFile format;

  private Retarget(ZipFile jar) {
    this.jar = jar;
    ClassHierarchyResolver itsOwn = ClassHierarchyResolver.ofResourceParsing(this::open);
    this.format =
        ClassFile.of(
            ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
            ClassFile.ClassHierarchyResolverOption.of(
                itsOwn.orElse(ClassHierarchyResolver.defaultResolver())));
  }

  /**
   * Changes jars in place.
   *
   * @param jars their paths
   * @throws IOException if one cannot be read or written
   */
  public static void main(String[] jars) throws IOException {
    for (String each : jars) {
      Path path = Path.of(each);
      Path changed = Path.of(each + ".new");
      boolean anyOld;
      try (ZipFile jar = new ZipFile(each);
          ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(changed))) {
        anyOld = new Retarget(jar).copy(out);
      }
      if (anyOld) {
        Files.move(changed, path, StandardCopyOption.ATOMIC_MOVE);
      } else {
        Files.delete(changed);
      }
    }
  }

  private boolean copy(ZipOutputStream out) throws IOException {
    boolean anyOld = false;
    for (ZipEntry entry : Collections.list(jar.entries())) {
      byte[] bytes = read(entry);
      if (entry.getName().endsWith(".class")) {
        ClassModel model = format.parse(bytes);
        if (model.majorVersion() < JAVA_6) {
          bytes = renewed(model);
          anyOld = true;
        }
      }
      ZipEntry copy = new ZipEntry(entry.getName());
      copy.setTime(entry.getTime());
      out.putNextEntry(copy);
      out.write(bytes);
    }
    return anyOld;
  }

  /** Method bodies are taken apart and put together again: one passed on as a whole gets no map. */
  private byte[] renewed(ClassModel model) {
    ClassTransform bodies =
        ClassTransform.transformingMethodBodies((code, element) -> code.with(element));
    ClassTransform version =
        (made, element) -> {
          if (element instanceof ClassFileVersion) {
            made.withVersion(JAVA_8, 0);
          } else {
            made.with(element);
          }
        };
    return format.transformClass(model, bodies.andThen(version));
  }

  private byte[] read(ZipEntry entry) throws IOException {
    try (InputStream in = jar.getInputStream(entry)) {
      return in.readAllBytes();
    }
  }

  private InputStream open(ClassDesc type) {
    String descriptor = type.descriptorString();
    ZipEntry entry = jar.getEntry(descriptor.substring(1, descriptor.length() - 1) + ".class");
    try {
      return entry == null ? null : jar.getInputStream(entry);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
