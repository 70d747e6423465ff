"""``nnUNetTrainerDRDM``: nnU-Net v2's trainer, and deformations from a bank in its augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batchgenerators.dataloading.nondet_multi_threaded_augmenter import NonDetMultiThreadedAugmenter
from batchgenerators.dataloading.single_threaded_augmenter import SingleThreadedAugmenter
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.default_n_proc_DA import get_allowed_n_proc_DA

from src_core.transforms.bank import Bank
from src_core.transforms.nnunet.case_bank import CaseBank
from src_core.transforms.nnunet.loader import DeformingDataLoader
from src_core.transforms.nnunet.settings import read_settings
from src_core.transforms.nnunet.spatial import with_deformations

__all__ = ["nnUNetTrainerDRDM"]


class nnUNetTrainerDRDM(nnUNetTrainer):  # type: ignore[misc]
    """nnU-Net's trainer; some of the training patches are of deformed cases.

    The bank's folder and the probability of a deformation come from the environment variables
    ``DRDM_BANK`` and ``DRDM_PROBABILITY``, or from ``drdm.json`` in the preprocessed data set.
    Deformation, rotation and scaling are one resampling. Everything else is nnU-Net's: validation
    patches, prediction and what is trained. A case without deformations is trained on as it is.
    """

    dataset_class: Any

    def get_dataloaders(self) -> tuple[Any, Any]:
        """As nnU-Net's, with a loader of training patches that deforms.

        Raises:
            InputError: there is no bank, or it is of other images.
        """
        if self.dataset_class is None:
            self.dataset_class = infer_dataset_class(self.preprocessed_dataset_folder)
        initial, training, validation = self._transforms()
        final, labels = self.configuration_manager.patch_size, self.label_manager
        shown, unseen = self.get_tr_and_val_datasets()
        deforming = DeformingDataLoader(
            shown,
            self.batch_size,
            initial,
            final,
            labels,
            **self._sampling(training),
            **self._deformations(shown),
        )
        plain = nnUNetDataLoader(
            unseen, self.batch_size, final, final, labels, **self._sampling(validation)
        )
        return self._started(deforming, plain)

    def _transforms(self) -> tuple[Any, Any, Any]:
        """The size of what is cut out, and the transforms of training and validation patches."""
        augmentation = self.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        rotation, dummy_2d, initial, mirror = augmentation
        plan, scales = self.configuration_manager, self._get_deep_supervision_scales()
        masked, labels = plan.use_mask_for_norm, self._label_options()
        training = self.get_training_transforms(
            *(plan.patch_size, rotation, scales, mirror, dummy_2d),
            use_mask_for_norm=masked,
            **labels,
        )
        return (
            initial,
            with_deformations(training),
            self.get_validation_transforms(scales, **labels),
        )

    def _label_options(self) -> dict[str, Any]:
        labels = self.label_manager
        return {
            "is_cascaded": self.is_cascaded,
            "foreground_labels": labels.foreground_labels,
            "regions": labels.foreground_regions if labels.has_regions else None,
            "ignore_label": labels.ignore_label,
        }

    def _sampling(self, transforms: Any) -> dict[str, Any]:
        return {
            "oversample_foreground_percent": self.oversample_foreground_percent,
            "sampling_probabilities": None,
            "pad_sides": None,
            "transforms": transforms,
            "probabilistic_oversampling": self.probabilistic_oversampling,
        }

    def _deformations(self, data: Any) -> dict[str, Any]:
        """Bank and probability, after a look at whether they fit the data set."""
        settings = read_settings(Path(self.preprocessed_dataset_folder_base))
        flat = len(self.configuration_manager.patch_size) == 2
        bank = CaseBank(Bank(settings.bank), tuple(self.plans_manager.transpose_forward), flat)
        known = bank.matched(data.identifiers)
        loaded = data.load_case(known[0])
        bank.draw(known[0], loaded[-1], loaded[0].shape[1:], lambda n: 0)
        self._report(settings.bank, settings.probability, sorted(set(data.identifiers) - {*known}))
        return {"bank": bank, "probability": settings.probability}

    def _report(self, folder: Path, probability: float, unknown: list[str]) -> None:
        self.print_to_log_file(f"Deformations from {folder}, with probability {probability:g}")
        if unknown:
            some = ", ".join(unknown[:3]) + (", ..." if len(unknown) > 3 else "")
            self.print_to_log_file(
                f"WARNING: the bank has no deformations of {len(unknown)} training cases, which "
                f"are used undeformed: {some}"
            )

    def _started(self, training: Any, validation: Any) -> tuple[Any, Any]:
        """Both loaders in nnU-Net's processes, each with its first batch asked for."""
        count = get_allowed_n_proc_DA()
        if count == 0:
            pair = (
                SingleThreadedAugmenter(training, None),
                SingleThreadedAugmenter(validation, None),
            )
        else:
            pair = (
                self._processes(training, count, max(6, count // 2)),
                self._processes(validation, max(1, count // 2), max(3, count // 4)),
            )
        for loader in pair:
            next(loader)
        return pair

    def _processes(self, loader: Any, count: int, cached: int) -> Any:
        return NonDetMultiThreadedAugmenter(
            data_loader=loader,
            transform=None,
            num_processes=count,
            num_cached=cached,
            seeds=None,
            pin_memory=self.device.type == "cuda",
            wait_time=0.002,
        )
