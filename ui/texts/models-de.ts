import type { modelsEnUS } from './models-en-US';

export const modelsDe: typeof modelsEnUS = {
  kinds: { patchcore: 'Anomaliemodell', detector: 'Detektor', classifier: 'Klassifikator' },
  kindHints: {
    patchcore: 'Lernt nur Gutteile und findet, was von ihnen abweicht.',
    detector: 'Findet benannte Fehler und wo sie sind. Lernt aus Rahmen in Bildern.',
    classifier: 'Sagt, was für ein Bild es ist, etwa gut oder Pore. Lernt aus sortierten Bildern.',
  },
  sources: {
    hints: {
      patchcore: {
        labelled: 'Bilder, die ein Mensch in der Prüfung mit OK bewertet hat.',
        folder: 'Alle Bilder im Ordner gelten als Gutteile.',
        simulator: 'Gezeichnete Gutteile, zum Ausprobieren.',
      },
      detector: {
        labelled: 'Bilder mit Rahmen aus der Prüfung; die mit OK bewerteten zeigen, was kein Fehler ist.',
        dataset: 'YOLO (data.yaml), COCO (json) oder ein Ordner in der Form von Pascal VOC; wird von selbst erkannt.',
        simulator: 'Gezeichnete Teile mit Fehlern und deren Rahmen, zum Ausprobieren.',
      },
      classifier: {
        labelled: 'Mit OK bewertet: Klasse „good“. Mit NG bewertet: Klasse des größten Rahmens, sonst „defect“.',
        dataset: 'Ein Ordner mit einem Ordner voll Bilder je Klasse.',
        simulator: 'Gezeichnete Teile, sortiert nach ihrem Fehler, zum Ausprobieren.',
      },
    },
    labelled: {
      patchcore: (count) => (count === 1 ? '1 OK-Bild' : `${count} OK-Bilder`),
      detector: (count) => (count === 1 ? '1 Bild mit Rahmen' : `${count} Bilder mit Rahmen`),
      classifier: (count) => (count === 1 ? '1 Bild' : `${count} Bilder`),
    },
    tooFew: {
      patchcore: 'Es gibt noch kein OK-Bild. Eines genügt für den Anfang; ab 50 werden die Grenzen sicher.',
      detector:
        'Es braucht mindestens 3 Bilder mit Rahmen. Zeichnen Sie Rahmen auf der Prüfseite: 30 Bilder sind ein guter Anfang.',
      classifier:
        'Es gibt noch kein bewertetes Bild. Bewerten Sie welche auf der Prüfseite, oder nennen Sie einen Datensatz.',
    },
    dataset: 'Pfad des Datensatzes auf dem Server',
    example: { patchcore: '', detector: 'platinen/data.yaml', classifier: 'platinen' },
    pathMissing: 'Geben Sie einen Pfad ein.',
  },
  figures: {
    figure: 'Kennzahl',
    before: 'Vorher',
    after: 'Nachher',
    change: 'Änderung',
    changes: { better: 'besser', worse: 'schlechter', same: 'gleich', new: 'neu', none: '' },
    map50: 'mAP50',
    map5095: 'mAP50-95',
    accuracy: 'Richtig benannt',
    recall: 'Trefferquote',
    recallHint: 'Wie viel von dem, was da ist, gefunden wird (Recall)',
    precision: 'Genauigkeit',
    precisionHint: 'Wie viel von dem, was gefunden wird, da ist (Precision)',
    recallOf: (label) => `Trefferquote ${label}`,
    points: (difference) => (difference === '1' ? '1 Punkt' : `${difference} Punkte`),
    heldOut: (pictures) =>
      pictures === 1
        ? 'An 1 zurückgehaltenen Bild'
        : `An ${pictures} zurückgehaltenen Bildern, die nicht gelernt wurden`,
    oldPictures: (pictures) =>
      pictures === 1 ? 'An 1 alten Bild: was vergessen wurde' : `An ${pictures} alten Bildern: was vergessen wurde`,
    perClass: 'Klasse für Klasse',
    class: 'Klasse',
    boxes: 'Rahmen',
    pictures: 'Bilder',
    interval: (low, high) => `mAP50 liegt mit 95 % Sicherheit zwischen ${low} und ${high}.`,
    accuracyInterval: (low, high) => `Richtig benannt werden mit 95 % Sicherheit zwischen ${low} und ${high}.`,
    precisionRecall: 'Genauigkeit über Trefferquote',
    precisionRecallLabel: (label, ap50) => `Genauigkeit über Trefferquote für ${label}; mittlere Genauigkeit ${ap50}`,
    confusion: 'Was wofür gehalten wird',
    trueAndFound: 'wahr ↓ gefunden →',
    background: 'nichts',
  },
  curve: {
    title: 'Verlauf des Anlernens',
    loss: 'Verlust',
    epoch: 'Epoche',
    label: (name, first, from, last, to) => `${name}: ${first} in Epoche ${from}, ${last} in Epoche ${to}`,
  },
  gate: {
    title: 'Freigabe',
    accepted: 'Freigegeben: an nicht gelernten Bildern nicht schlechter als vorher.',
    acceptedFirst: 'Freigegeben: Es gab keine Version davor zum Vergleichen.',
    few: (pictures) =>
      pictures === 1
        ? 'Nur an 1 Bild gemessen: Die Kennzahlen sagen wenig.'
        : `Nur an ${pictures} Bildern gemessen: Die Kennzahlen sagen wenig.`,
    refused: 'Abgelehnt: Es kommt nicht von selbst in den Einsatz.',
    refusedShort: 'abgelehnt',
    warning: 'Diese Version wurde bei der Freigabe abgelehnt; sie prüft womöglich schlechter als die davor.',
    deployAnyway: 'Trotzdem einsetzen',
    reasons: {
      'nothing-to-measure-with':
        'Kein bewertetes Bild ist zurückgehalten, also kann niemand sagen, ob es besser ist. Fügen Sie Bilder hinzu.',
      'finds-too-little':
        'Es findet zu wenig in den zurückgehaltenen Bildern: mAP50 __map50__, mindestens __least__ werden verlangt. Länger oder mit mehr Bildern trainieren.',
      'held-out-map50-fell': 'mAP50 an den zurückgehaltenen Bildern fiel von __before__ auf __after__.',
      'held-out-recall-fell':
        'Von __label__ werden in den zurückgehaltenen Bildern __after__ statt __before__ gefunden.',
      'held-out-accuracy-fell':
        'Die mittlere Trefferquote fiel an den zurückgehaltenen Bildern von __before__ auf __after__.',
      'held-out-class-fell':
        'Von __label__ werden in den zurückgehaltenen Bildern __after__ statt __before__ richtig benannt.',
      'names-by-chance':
        'Die mittlere Trefferquote ist __accuracy__ an den zurückgehaltenen Bildern; Raten brächte __chance__.',
      'old-map50-fell': 'mAP50 an den alten Bildern fiel von __before__ auf __after__.',
      'old-recall-fell': 'Von __label__ werden in den alten Bildern __after__ statt __before__ gefunden.',
      'gate-accuracy-fell':
        'Richtig entschiedene Bilder fielen von __before__ auf __after__; um __bound__ dürfen sie fallen.',
      'gate-map50-fell': 'mAP50 fiel von __before__ auf __after__; um __bound__ darf es fallen.',
      'gate-old-classes-fell': 'Von dem, was bekannt war, werden __after__ statt __before__ gefunden.',
      'gate-escapes-rose': '__after__ statt __before__ der Fehlerteile kämen durch.',
      'gate-false-rejects-rose':
        '__after__ statt __before__ der Gutteile kämen nicht durch; um __bound__ darf das steigen.',
      'gate-ng-newly-passes': '__count__ mit NG bewertete Bilder kämen neu durch.',
      'gate-levels-differ':
        'Nach __count__ dieser mit NG bewerteten Bilder hat die Version im Einsatz ihre Annahmegrenze bestimmt, diese hier nicht: Sie schönen jene. Die Teile ansehen und diese Version einmal von Hand einsetzen, wenn sie recht hat; danach werden beide gleich beurteilt.',
      'gate-nothing-to-measure-with':
        'Es gibt kein bewertetes Bild, das keine der Versionen gelernt hat; so kann niemand sagen, ob es besser ist.',
    },
  },
  detector: {
    level: 'Was lernt',
    levelNames: {
      head: 'Schnell (nur der Kopf)',
      neck: 'Normal (Kopf und Hals)',
      full: 'Gründlich (alle Schichten)',
      external: 'Fremdes Programm',
      scratch: 'Von null an',
      imported: 'Importiert',
    },
    levelHints: {
      head: 'Weniger als eine Minute für 30 Bilder; genügt, wo die Fehler bekannten ähneln.',
      neck: 'Ein bis zwei Minuten für 30 Bilder; findet mehr als der Kopf allein. Richtig für Korrekturen.',
      full: 'Dauert am längsten; findet am meisten ab 100 Bildern oder bei Fehlern neuer Art.',
    },
    epochs: 'Epochen (wie oft jedes Bild gesehen wird)',
    start: 'Wovon ausgehen',
    bases: {
      deployed: (version) => `Version ${version} im Einsatz`,
      starter: 'Der mitgelieferte Detektor',
      file: 'Eine ONNX-Datei auf dem Server',
    },
    baseFile: 'Pfad der ONNX-Datei',
    baseFileHint: 'Ein Export von YOLOv8, 11, 12 oder 26.',
    replay: 'Datensatz alter Bilder',
    replayHint: 'Wird mitgelernt, damit nicht vergessen wird, was bekannt ist.',
    trainer: 'Wie anlernen',
    trainers: { 'built-in': 'Hier, in Node-RED', external: 'Mit einem fremden Programm' },
    noExternal: 'Für ein fremdes Programm tragen Sie seinen Befehl im inspection-station-Node ein.',
    search: 'Zuerst gute Einstellungen suchen',
    searchMinutes: 'Zeit für die Suche in Minuten',
    learning: 'Lernen',
    inputSize: 'Lerngröße in Pixeln',
    batch: 'Bilder je Schritt',
    learningRate: 'Lernrate',
    augmentation: 'Veränderung der Bilder in %',
    seed: 'Startwert',
    tolerance: 'mAP50 darf fallen um, in Punkten',
    tips: {
      epochs: 'Mehr Epochen dauern länger. Automatisch: so viele, dass wenige Bilder oft gesehen werden.',
      replay: 'Ein Datensatz wie der der Quelle. Es werden mindestens so viele alte Bilder wie neue gelernt.',
      search: 'Versucht Lernrate, Stufe und Veränderung an einem Teil der Bilder und macht mit dem Besten weiter.',
      inputSize: 'Seite der Ausschnitte, aus denen gelernt wird. Doppelte Seite heißt vierfache Zeit.',
      batch: 'Mehr brauchen mehr Speicher.',
      learningRate: 'Wie weit jeder Schritt geht. Zu groß vergisst, zu klein lernt nichts.',
      augmentation: 'Wie stark Bilder beim Lernen gedreht, verschoben und aufgehellt werden.',
      seed: 'Gleicher Startwert und gleiche Bilder geben das gleiche Modell.',
      tolerance: 'Eine Version, die um mehr schlechter ist, kommt nicht in den Einsatz. 1, wenn nichts dasteht.',
    },
  },
  classifier: {
    how: 'Was lernt',
    methods: { linear: 'Nur die letzte Schicht', 'fine-tuned': 'Das ganze Netz' },
    methodHints: {
      linear: 'Sekunden; richtig für den Anfang und für wenige Bilder.',
      'fine-tuned': 'Minuten; besser, wo sich die Klassen ähneln und es je 100 Bilder und mehr gibt.',
    },
    classes: 'Was die Klassen bedeuten',
    classesHint: 'Klassen, die hier nicht stehen, sind NG, außer „good“ und „ok“.',
    className: 'Klasse, z. B. good',
    classTwice: 'Jede Klasse nur einmal.',
    addClass: 'Klasse hinzufügen',
    removeClass: (name) => (name === '' ? 'Klasse entfernen' : `${name} entfernen`),
    verdict: 'Urteil',
    verdictOf: (name) => (name === '' ? 'Urteil' : `Urteil für ${name}`),
    tips: { inputSize: 'Größere Eingaben zeigen kleinere Unterschiede und dauern länger.' },
  },
};
