package dev.xip.segment;

import dev.xip.segment.ExtmemModel.Stored;
import dev.xip.segment.StoreWorkers.Worker;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/** Random calls that change or query a store, and random damage to its files. */
final class StoreSteps {
  private final SegmentStore store;
  private final ExtmemModel model;
  private final StoreWorkers workers;
  private final Random random;
  private final ExtmemSteps choose;

  StoreSteps(SegmentStore store, ExtmemModel model, StoreWorkers workers, Random random) {
    this.store = store;
    this.model = model;
    this.workers = workers;
    this.random = random;
    this.choose = new ExtmemSteps(random);
  }

  /** Does what a number below 22 says. */
  void step(Worker worker, int dice) throws IOException {
    SegmentName name = choose.name(worker.owner);
    if (dice < 7) {
      workers.expect(
          model.save(worker.owner, name), () -> version(name), worker, "save", name.value());
    } else if (dice < 14) {
      if (random.nextBoolean() || model.query(name) != null) {
        workers.expect(model.remove(name), worker, "remove", name.value());
      }
      define(worker, name, choose.parts());
    } else if (dice < 15) {
      workers.expect(model.remove(name), worker, "remove", name.value());
    } else if (dice < 17) {
      workers.expect(model.saveZeros(name), () -> version(name), worker, "zeros", name.value());
    } else if (dice < 20) {
      type(worker, name);
    } else {
      damage(name, random.nextInt(4));
    }
  }

  void type(Worker worker, SegmentName name) throws IOException {
    Supplier<List<String>> type = () -> List.of(model.store().get(name).type());
    workers.expect(model.query(name), type, worker, "type", name.value());
  }

  private List<String> version(SegmentName name) {
    return List.of(Long.toString(model.store().get(name).version));
  }

  private void define(Worker worker, SegmentName name, List<SegmentPart> parts) throws IOException {
    List<String> call = new ArrayList<>(List.of("define", name.value()));
    for (SegmentPart part : parts) {
      call.add(part.type().name());
      call.add(Long.toHexString(part.firstPage()));
      call.add(Long.toHexString(part.lastPage()));
    }
    workers.expect(
        model.define(name, parts), () -> version(name), worker, call.toArray(String[]::new));
  }

  /** Damages the definition of a segment that is to be loaded again. */
  void change(Worker worker, SegmentName name) throws IOException {
    int dice = random.nextInt(5);
    if (dice < 2) {
      damage(name, dice);
      return;
    }
    Stored before = model.store().get(name);
    workers.expect(model.remove(name), worker, "remove", name.value());
    if (dice == 3) {
      define(worker, name, choose.parts());
    } else if (dice == 4 && before != null && before.parts.size() == 1) {
      SegmentPart part = before.parts.getFirst();
      SegmentType type = choose.any(List.of(SegmentType.SW, SegmentType.SR, SegmentType.SC));
      define(worker, name, List.of(new SegmentPart(type, part.firstPage(), part.lastPage())));
    }
  }

  /** Damages the files of a store. Precondition: no process has the data loaded. */
  private void damage(SegmentName name, int how) throws IOException {
    Stored stored = model.store().get(name);
    if (stored == null) {
      return;
    }
    Path definition = store.folder().resolve(StoreFile.definition(name).toString());
    Path data = store.folder().resolve(StoreFile.data(name, stored.version).toString());
    switch (how) {
      case 0 -> {
        byte[] text = new byte[random.nextInt(200)];
        random.nextBytes(text);
        Files.write(definition, text);
        stored.damage = ExtmemModel.Damage.UNREADABLE;
      }
      case 1 -> {
        Files.write(definition, DefinitionFileTest.unsupported(name, random.nextInt(3)));
        stored.damage = ExtmemModel.Damage.UNSUPPORTED;
      }
      case 2 -> {
        if (stored.users.isEmpty() && !stored.broken) {
          try (RandomAccessFile cut = new RandomAccessFile(data.toFile(), "rw")) {
            cut.setLength(cut.length() - 1);
          }
          // The first user of SN gives the file its length anew.
          stored.broken = !stored.letters().equals("SN");
        }
      }
      default -> {
        if (stored.users.isEmpty()) {
          Files.deleteIfExists(data);
          stored.broken = true;
          stored.gone = true;
        }
      }
    }
  }
}
