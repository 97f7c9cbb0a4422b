package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.PageTable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Instruction;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A flush duty is a value that its caller uses. The compiler does not ask for that; this does. */
class FlushDutyTest {
  private static final String DUTY = FlushDuty.class.descriptorString();

  private static void forget(PageTable table) {
    table.clear(0);
  }

  /** The methods of a class that call for a duty and drop it at once. */
  private static List<String> dropping(byte[] bytes) {
    ClassModel model = ClassFile.of().parse(bytes);
    List<String> found = new ArrayList<>();
    for (var method : model.methods()) {
      boolean returned = false;
      for (CodeElement each : method.code().map(code -> code.elementList()).orElse(List.of())) {
        if (each instanceof Instruction instruction) {
          if (returned && instruction.opcode() == Opcode.POP) {
            found.add(model.thisClass().asInternalName() + "." + method.methodName().stringValue());
          }
          returned =
              each instanceof InvokeInstruction call && call.type().stringValue().endsWith(DUTY);
        }
      }
    }
    return found;
  }

  @Test
  void noDutyIsDropped() throws Exception {
    Path classes =
        Path.of(FlushDuty.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(classes.resolve("dev/xip"))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".class")).toList()) {
        found.addAll(dropping(Files.readAllBytes(file)));
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void aDutyThatIsDroppedIsFound() throws IOException {
    try (InputStream own = FlushDutyTest.class.getResourceAsStream("FlushDutyTest.class")) {
      assertThat(dropping(own.readAllBytes())).containsExactly("dev/xip/vm/FlushDutyTest.forget");
    }
  }
}
