package dev.xip.history;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.util.Set;
import java.util.TreeSet;

/** The packages of ours that classes use, as their class files say. */
final class Imports {
  private static final String ROOT = "dev/xip/";

  private Imports() {}

  /** {@return the packages that the classes and those above them use, their own left out} */
  static Set<String> of(Class<?>... classes) throws IOException {
    Set<String> used = new TreeSet<>();
    for (Class<?> each : classes) {
      if (each.getSuperclass() != Object.class) {
        used.addAll(of(each.getSuperclass()));
      }
      try (InputStream code = each.getResourceAsStream(each.getSimpleName() + ".class")) {
        ClassModel model = ClassFile.of().parse(code.readAllBytes());
        for (PoolEntry entry : model.constantPool()) {
          if (entry instanceof ClassEntry type && type.asInternalName().startsWith(ROOT)) {
            used.add(packageOf(type.asInternalName()));
          }
        }
        used.remove(each.getPackageName());
      }
    }
    return used;
  }

  private static String packageOf(String internalName) {
    return internalName.substring(0, internalName.lastIndexOf('/')).replace('/', '.');
  }
}
