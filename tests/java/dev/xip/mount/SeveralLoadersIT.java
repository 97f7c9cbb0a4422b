package dev.xip.mount;

import dev.xip.Xip;
import dev.xip.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As {@link SeveralLoadersTest}, with a jar beside which there is no library. */
class SeveralLoadersIT {
  @TempDir Path folder;

  @Test
  void eachClassLoaderLinksTheLibraryOfItsJar() throws IOException {
    Path built = Path.of(System.getProperty("xip.launcher")).resolveSibling("xip.jar");
    Path jar = Files.copy(built, folder.resolve("xip.jar"));
    String classPath = System.getProperty("java.class.path");
    String classes = Jvm.placeOf(Xip.class).toString();
    SeveralLoadersTest.assertEachIsTold(folder, classPath.replace(classes, jar.toString()));
  }
}
